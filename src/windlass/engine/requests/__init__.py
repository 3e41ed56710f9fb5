"""What a person may ask of the engine, each asking checked, recorded and turned into facts."""
