"""The ground that both services stand on: settings, PostgreSQL, migrations, supervision, telemetry."""
