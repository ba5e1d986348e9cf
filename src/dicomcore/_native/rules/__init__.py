"""The tables of PS3.3: which attributes an object of a SOP class has, and which values."""
