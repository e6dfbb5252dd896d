// The demo shop's sign-in: tells the chat widget who is there, and remembers it for this tab.

const KEPT = "spruce-home:member";
const member = document.getElementById("member");

const signIn = () => {
  document.dispatchEvent(new CustomEvent("mainstem:identify", { detail: { token: member.value } }));
};

const name = sessionStorage.getItem(KEPT);
const kept = [...member.options].find((option) => option.value && option.text === name);
if (kept) {
  member.value = kept.value;
  signIn();
}
member.addEventListener("change", () => {
  sessionStorage.setItem(KEPT, member.value ? member.selectedOptions[0].text : "");
  signIn();
});
