"""The tests mirror the house: one folder per floor, one file per module, one class per function."""
