/* Every row once an epoch, in an order of the batcher's. */
#include "train/data_sampler.h"

const snc_data_sampler_kind snc_data_sampler_shuffle = {.name = "shuffle"};
