"""Logs and metrics; knows no other room."""
