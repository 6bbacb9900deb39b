"""Parts of the module `software_state`: what a server is like, what is kept of it, and how a software goes again."""
