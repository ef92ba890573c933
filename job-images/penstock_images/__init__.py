"""How the images are built, with whatever container engine there is: `python -m penstock_images`.

It needs the standard library only, so that `make images` works before any virtual environment is there.
"""
