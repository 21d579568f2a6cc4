"""The steps of an app's way through the device, said in its log as people of this field know them."""
