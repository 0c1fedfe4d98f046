"""The bell, the list of what one was told, the choice of it, and the link that ends the mails."""
