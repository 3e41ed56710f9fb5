"""What every implementation of a port must do, as pytest classes to subclass."""
