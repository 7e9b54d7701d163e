"""Goldens of the optimiser and the losses from PyTorch.

python tests/ref/train_adamw.py > tests/golden/train_adamw.txt        (torch 2.x, CPU, seed 7)

Optimiser: two groups (decay 0.01 and 0), six steps, lr from linear warm-up and decay, clip_grad_norm_ 1.0. Lines are
`name n v v v ...`: p0, then g1 p1, g2 p2 ... for [7, 5] with decay followed by [11] without.
Losses: cross entropy, KL (batchmean, temperature 2, times 4), MSE, each with its gradient.
"""
import torch

torch.manual_seed(7)
torch.set_printoptions(precision=9)


def put(name, t):
    print(name, t.numel(), *(f"{v:.9g}" for v in t.detach().flatten().tolist()))


w, b = torch.nn.Parameter(torch.randn(7, 5)), torch.nn.Parameter(torch.randn(11))
opt = torch.optim.AdamW([{"params": [w], "weight_decay": 0.01}, {"params": [b], "weight_decay": 0.0}], lr=0.05)
total, warm, lr = 6, 0.3 * 6, 0.05
put("p0", torch.cat([w.flatten(), b]))
for s in range(total):
    for g in opt.param_groups:
        g["lr"] = lr * (s / warm if s < warm else (total - s) / (total - warm))
    scale = 0.05 if s % 2 else 3.0  # below and above the clip
    w.grad, b.grad = torch.randn_like(w) * scale, torch.randn_like(b) * scale
    put(f"g{s + 1}", torch.cat([w.grad.flatten(), b.grad]))
    norm = torch.nn.utils.clip_grad_norm_([w, b], 1.0)
    put(f"n{s + 1}", norm.reshape(1))
    opt.step()
    put(f"p{s + 1}", torch.cat([w.flatten(), b]))

z, q = (torch.randn(6, 3) * 2).requires_grad_(), torch.randn(6, 3) * 2
y = torch.randint(0, 3, (6,))
put("z", z), put("q", q), put("y", y.float())
F = torch.nn.functional
for name, loss in [("ce", F.cross_entropy(z, y)),
                   ("kl", F.kl_div(F.log_softmax(z / 2, 1), F.log_softmax(q / 2, 1), log_target=True, reduction="batchmean") * 4),
                   ("mse", F.mse_loss(z, q))]:
    (g,) = torch.autograd.grad(loss, z)
    put(name, loss.reshape(1)), put("d" + name, g)
