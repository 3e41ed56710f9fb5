"""Where jobs run: as processes of this machine, in containers, on Kubernetes."""
