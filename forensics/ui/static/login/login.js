// The login: sends name and password, and loads the address that was asked for.

const form = document.querySelector("#login");
const problem = document.querySelector("#problem");
const button = form.querySelector("button");

const chosen = localStorage.getItem("triggerlens-theme");
if (chosen) document.documentElement.dataset.theme = chosen;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  problem.textContent = "";
  try {
    const response = await fetch("/api/login", {
      method: "POST", credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-TriggerLens": "1" },
      body: JSON.stringify({ name: form.elements.name.value.trim(), password: form.elements.password.value }),
    });
    if (response.ok) { location.reload(); return; }
    const told = await response.json();
    problem.textContent = `${told.error} ${told.remedy ?? ""}`.trim();
  } catch {
    problem.textContent = "The server does not answer.";
  }
  button.disabled = false;
  form.elements.password.select();
});
