def get_worker_info():
    return None  # prompts are read in the main process
