"""What a rule may ask the machine, behind one port."""
