"""The schema's history: numbered files of hand-written SQL, applied once each, never edited."""
