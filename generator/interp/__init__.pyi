from . import recurrent as recurrent
