"""Whether the desktop blends windows, so that smooth corners and shadows are possible. GUI thread, about 1 ms."""

import ctypes
from functools import lru_cache

from PySide6.QtGui import QGuiApplication

_ALWAYS = frozenset({"wayland", "windows", "cocoa"})


def composited() -> bool:
    """Tell whether the desktop blends windows now; one that cannot be asked does not."""
    platform = QGuiApplication.platformName()
    if platform.startswith("wayland") or platform in _ALWAYS:
        return True
    return platform == "xcb" and _x11_composited()


def _x11_composited() -> bool:
    # A compositing manager owns the selection _NET_WM_CM_Sn (freedesktop.org, EWMH).
    x11 = _library()
    display = x11.XOpenDisplay(None) if x11 is not None else None
    if x11 is None or not display:
        return False
    try:
        name = f"_NET_WM_CM_S{x11.XDefaultScreen(display)}".encode()
        return bool(x11.XGetSelectionOwner(display, x11.XInternAtom(display, name, 0)))
    finally:
        x11.XCloseDisplay(display)


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | None:
    try:
        x11 = ctypes.CDLL("libX11.so.6")
    except OSError:
        return None
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XOpenDisplay.argtypes = [ctypes.c_char_p]
    x11.XDefaultScreen.argtypes = [ctypes.c_void_p]
    x11.XInternAtom.restype = ctypes.c_ulong
    x11.XInternAtom.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    x11.XGetSelectionOwner.restype = ctypes.c_ulong
    x11.XGetSelectionOwner.argtypes = [ctypes.c_void_p, ctypes.c_ulong]
    x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    return x11
