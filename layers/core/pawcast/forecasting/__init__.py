"""The weekly visitor forecast: frames in, frames out. No AWS, no environment, no clock of its own."""
