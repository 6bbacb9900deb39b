"""E-mail in Indonesian, sent from the outbox."""
