"""`make simulate`."""

from deploy.simulation.at_scale.cli import main

if __name__ == "__main__":
    main()
