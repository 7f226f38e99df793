"""What rates a program natively instead of on the kernel, and when that pays."""
