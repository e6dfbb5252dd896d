"""Tests of the calls out, against servers on the loopback address."""
