// Comforts of the panel. Every page works without them.
