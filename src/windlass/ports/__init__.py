"""What the engine needs of the world. Adapters implement these; the engine sees nothing else."""
