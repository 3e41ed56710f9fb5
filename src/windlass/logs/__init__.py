"""Where the lines of jobs are kept."""
