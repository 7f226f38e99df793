"""What a program does and why: what is known without running it, what each line is worth, which lines can go,
and which known ideas it carries."""
