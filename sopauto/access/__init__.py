"""Who may enter the server room: requests, grants, cards, the register, entries. Pure (SOP/11/406.020/2019)."""
