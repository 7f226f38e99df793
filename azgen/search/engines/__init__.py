"""What runs islands: this process, worker processes, a cluster; what travels between them."""
