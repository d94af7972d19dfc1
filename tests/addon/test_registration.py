from __future__ import annotations


def test_enables(addon):
    assert addon.__name__ == "bl_ext.dev.retime_people"
