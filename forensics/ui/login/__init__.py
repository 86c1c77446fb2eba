"""Who may use the app when others can reach it: names, passwords, sessions."""
