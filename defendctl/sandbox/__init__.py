"""The DeepRails Defend HTTP API as a small server for tests, demos and rehearsals.

It stands on the other side of the wire: nothing here imports the rest of defendctl. Scores are synthetic.

    app.py          one ASGI application: the API behind the faults, the console beside it
    server.py       runs it on a loopback port: in the foreground, or in a thread of this process
    api.py          the six endpoints; stream.py: an event told as it happens
    access.py       who may ask
    admin.py        /_sandbox/: what the vendor's console does, and what only a test wants to know
    given.py        finished events as a test gives them
    faults.py       answers that go wrong on request
    generations.py  which fields each generation of the API accepts and answers, as tables
    bodies.py       checks for what comes in; answers.py: encoders for what goes out
    model.py        the one canonical form; store.py keeps it in SQLite
    evaluation.py   the story of an event: its evaluations and attempts; costs.py: what they cost
    scores.py       scripted scores from a file, for stories that are told on purpose
"""
