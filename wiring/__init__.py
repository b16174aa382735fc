"""The only place that builds anything: settings, servers, services."""
