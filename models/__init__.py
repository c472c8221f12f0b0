"""Estimators: frames in, forecasts out.

``protocol`` says what every race model can do, ``baselines`` and ``race_model`` are the models, ``ratings``
the strengths that features are made of, ``metrics`` the scores, ``registry`` the trained models on disk.
"""
