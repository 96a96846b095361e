#!/usr/bin/env python3
"""The method of the small load testers that this project began with, restated on the openai client (lework/llm-benchmark 2025 counts so).

The first chunk is the first token, every chunk with a delta is a token, and a reply's speed is its chunks over the whole latency. Retries are the
client's own (two, unseen). Prints one JSON line: users, requests, RPS, mean and P99 latency, mean TPS, TTFT, success.

usage: seed_method.py URL MODEL PROMPTS.jsonl STREAMS REQUESTS MAX_TOKENS
"""

import asyncio
import json
import statistics
import sys
import time

from openai import AsyncOpenAI


async def ask(client, model, prompt, max_tokens):
    """One reply: seconds to the first chunk, seconds in all, chunks. None if it failed."""
    start, first, chunks = time.time(), None, 0
    try:
        stream = await client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": prompt}], max_tokens=max_tokens, stream=True
        )
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta is not None and chunk.choices[0].finish_reason is None:
                first = first or time.time()
                chunks += 1
    except Exception:
        return None
    return (first or time.time()) - start, time.time() - start, chunks


async def main(url, model, prompts, streams, requests, max_tokens):
    client = AsyncOpenAI(base_url=url, api_key="none", timeout=60)
    prompts = [json.loads(line)["prompt"] for line in open(prompts)]
    free = asyncio.Semaphore(streams)

    async def one(index):
        async with free:
            return await ask(client, model, prompts[index % len(prompts)], max_tokens)

    start = time.time()
    replies = await asyncio.gather(*(one(index) for index in range(requests)))
    seconds = time.time() - start
    good = [reply for reply in replies if reply]
    latency = sorted(latency for _, latency, _ in good)
    ttft = sorted(first for first, _, _ in good)
    at = lambda values, percent: values[min(len(values) - 1, len(values) * percent // 100)] if values else None
    print(json.dumps({
        "users": streams, "requests": requests, "ok": len(good), "rps": len(good) / seconds,
        "latency_mean_s": statistics.mean(latency) if good else None, "latency_p99_s": at(latency, 99),
        "tps_mean": statistics.mean(chunks / latency for _, latency, chunks in good) if good else None,
        "ttft_s": [at(ttft, 50), at(ttft, 95), at(ttft, 99)], "chunks": statistics.mean(c for _, _, c in good) if good else None,
    }))


if __name__ == "__main__":
    url, model, prompts, *numbers = sys.argv[1:]
    asyncio.run(main(url, model, prompts, *map(int, numbers)))
