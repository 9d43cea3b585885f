from generator.notebook import show as show

__version__: str
