"""What is known of machines before anybody touches one: who logs in, which host key they have, how they greet."""
