"""A precompiled character map of SentencePiece made from a {text: text} dictionary; imported by the golden scripts."""
import struct


def charsmap(mapping):
    """u32 bytes of the double array, its units, then NUL-ended texts. Each node has 256 units of its own: simple, and large."""
    texts, trie, end = b"", {}, "end"
    for key, value in mapping.items():
        node = trie
        for c in key.encode():
            node = node.setdefault(c, {})
        node[end] = len(texts)
        texts += value.encode() + b"\0"
    units = [256 << 10] + [0] * 511
    todo = [(trie, 256)]
    while todo:
        node, base = todo.pop()
        if end in node:
            units[base] = node[end] | 1 << 31
        for c, child in node.items():
            if c != end:
                offset = (base + c) ^ len(units)
                assert offset < 1 << 21
                units[base + c] = offset << 10 | c | (256 if end in child else 0)
                todo.append((child, len(units)))
                units += [0] * 256
    array = struct.pack("<%dI" % len(units), *units)
    return struct.pack("<I", len(array)) + array + texts
