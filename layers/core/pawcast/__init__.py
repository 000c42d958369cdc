"""Pawcast: photo screening and visitor forecasting on serverless AWS. Each package says what it is for."""
