"""How a message leaves for mail, chat and telephone: through Apprise, kept on a short lead. On channel workers."""
