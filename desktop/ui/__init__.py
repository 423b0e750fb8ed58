"""The screen: widgets that show one ``Attention``; they format and never decide. GUI thread."""
