#!/usr/bin/env python3
"""Runs llama.cpp's own HTTP server out of the PyPI wheel `xllamacpp`, on loopback. Prints `READY http://127.0.0.1:PORT` when it serves.

usage: serve.py MODEL.gguf [--reasoning deepseek|none] [--template FILE] [--slots N] [--minutes N]

It ends on SIGTERM or SIGINT, when the process that started it is gone, and in any case after N minutes.
"""

import argparse
import os
import pathlib
import signal
import sys
import threading
import time

import xllamacpp


def parameters(args):
    formats = xllamacpp.common_reasoning_format
    p = xllamacpp.CommonParams()
    p.model.path = args.model
    p.model_alias = {"smollm2"}
    p.hostnames = ["127.0.0.1"]
    p.port = 0  # the system chooses a free one
    p.n_ctx = 2048 * args.slots
    p.n_parallel = args.slots
    p.cont_batching = True
    p.use_jinja = True
    # One thread: the measuring process needs the other processor.
    p.cpuparams.n_threads = p.cpuparams_batch.n_threads = 1
    p.verbosity = 0
    p.reasoning_format = {"deepseek": formats.COMMON_REASONING_FORMAT_DEEPSEEK, "none": formats.COMMON_REASONING_FORMAT_NONE}[args.reasoning]
    if args.template:
        p.chat_template = pathlib.Path(args.template).read_text()
    return p


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--reasoning", default="deepseek", choices=["deepseek", "none"])
    parser.add_argument("--template", help="a Jinja chat template in place of the model's own")
    parser.add_argument("--slots", type=int, default=2, help="requests that are worked on at once; others queue")
    parser.add_argument("--minutes", type=float, default=6)
    args = parser.parse_args()

    stop = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: stop.set())
    parent, last = os.getppid(), time.monotonic() + 60 * args.minutes
    server = xllamacpp.Server(parameters(args))
    print("READY", server.listening_address, flush=True)
    while not stop.wait(0.5) and os.getppid() == parent and time.monotonic() < last:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
