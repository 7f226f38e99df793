"""What `azgen bench` measures: executors, search, compiler, start-up."""
