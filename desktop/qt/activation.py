"""Gives a window of ours the focus because a person asked for it elsewhere: at a second start. GUI thread.

Desktops refuse the focus to a program that was not used last. Wayland wants the token of whoever started us; on X11
``requestActivate`` carries the time at which we were last used, so the window manager is asked once more, in the name
of the person (https://specifications.freedesktop.org/wm-spec/latest/ar01s03.html, _NET_ACTIVE_WINDOW).
"""

import ctypes
import ctypes.util
import logging
import os
import re
import struct

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from desktop.qt.activity import handle_of

log = logging.getLogger(__name__)

_BY_PERSON = 2
_CLIENT_MESSAGE = 33
_SUBSTRUCTURE = 0x180000


def bring_up(window: QWidget, token: str = "") -> None:
    """Show ``window`` above the others and let it have the keyboard; ``token`` is the launcher's."""
    platform = QGuiApplication.platformName()
    if token and platform.startswith("wayland"):
        # Qt takes it from there, once.
        os.environ["XDG_ACTIVATION_TOKEN"] = token
    if window.isMinimized():
        window.showNormal()
    window.show()
    window.raise_()
    window.activateWindow()
    handle = handle_of(window)
    if platform == "xcb" and handle is not None:
        try:
            _ask_window_manager(int(handle.winId()), time_of(token))
        except (OSError, AttributeError) as e:
            log.info("the window manager was not asked: %s", e)


def time_of(startup_id: str) -> int:
    """Return the X server's time at which a startup id was made; 0 (now) when it does not say."""
    found = re.search(r"_TIME([0-9]{1,10})$", startup_id)
    return int(found[1]) & 0xFFFFFFFF if found else 0


class _Roots(ctypes.Structure):
    _fields_ = (("screen", ctypes.POINTER(ctypes.c_uint32)), ("left", ctypes.c_int), ("index", ctypes.c_int))


class _Cookie(ctypes.Structure):
    _fields_ = (("sequence", ctypes.c_uint),)


def _ask_window_manager(window: int, time: int) -> None:
    """Send _NET_ACTIVE_WINDOW to the root window, over a connection of its own: Qt offers no way to send events."""
    xcb = ctypes.CDLL(ctypes.util.find_library("xcb") or "libxcb.so.1")
    xcb.xcb_connect.restype = xcb.xcb_get_setup.restype = ctypes.c_void_p
    xcb.xcb_setup_roots_iterator.restype = _Roots
    xcb.xcb_intern_atom.restype = _Cookie
    xcb.xcb_intern_atom_reply.restype = ctypes.POINTER(ctypes.c_uint32)
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    try:
        if xcb.xcb_connection_has_error(connection):
            return
        root = xcb.xcb_setup_roots_iterator(ctypes.c_void_p(xcb.xcb_get_setup(connection))).screen[0]
        name = b"_NET_ACTIVE_WINDOW"
        cookie = xcb.xcb_intern_atom(connection, ctypes.c_uint8(0), ctypes.c_uint16(len(name)), name)
        reply = xcb.xcb_intern_atom_reply(connection, cookie, None)
        if not reply:
            return
        atom = reply[2]
        ctypes.CDLL(None).free(reply)
        event = struct.pack("=BBHIIIIIII", _CLIENT_MESSAGE, 32, 0, window, atom, _BY_PERSON, time, 0, 0, 0)
        xcb.xcb_send_event(connection, ctypes.c_uint8(0), ctypes.c_uint32(root), ctypes.c_uint32(_SUBSTRUCTURE), event)
        xcb.xcb_flush(connection)
    finally:
        xcb.xcb_disconnect(connection)
