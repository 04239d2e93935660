"""Adapters to host libraries. Each imports its host; nothing else imports an adapter."""
