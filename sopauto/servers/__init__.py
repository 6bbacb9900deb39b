"""New servers, prepared and secured as their profile says (SOP 000), and playbooks of an agency's own."""
