"""Cases (案件): their states, and the steps by which people move them."""
