"""The private servers that tests run against: PostgreSQL, an MQTT broker, Chromium."""
