"""Other libraries' methods in the benchmark, each library in a file of its own."""
