"""What a photo's fate depends on. No AWS, no environment, no clock of its own."""
