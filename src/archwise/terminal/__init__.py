"""What people see in the terminal: progress, results and errors; `archwise.cli` holds the commands."""
