"""Run the signed standard operating procedures of a data centre, exactly as approved."""
