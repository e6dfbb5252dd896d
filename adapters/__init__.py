"""The channels that come with Mainstem; each folder is one."""
