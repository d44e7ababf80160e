"""Figures and tables from results alone: nothing here runs a model."""
